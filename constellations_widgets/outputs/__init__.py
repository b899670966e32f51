"""What a draft becomes outside of this program: tiles, pictures, WTML, FITS headers, AVM, curl and Python."""
