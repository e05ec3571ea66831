"""What each command of ``partnerauth`` does, one module each. Imported when the command is given."""
