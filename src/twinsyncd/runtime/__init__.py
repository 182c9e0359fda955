"""The shell: facts are gathered, decisions committed, commands carried out."""
