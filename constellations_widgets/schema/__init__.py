"""Define the requests and responses of the servers and the rules these hold them to. No I/O, no widgets."""
