"""Real kills: the daemon, localtwin, files and a bad network, for many rounds, then the proof."""
