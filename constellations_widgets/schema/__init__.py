"""What goes over the wire, and the rules that the servers hold it to. No I/O, no widgets."""
