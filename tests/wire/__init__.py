"""What goes over the wire, compared with what was promised."""
