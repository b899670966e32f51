"""Tables that the schema rules read: SPDX lists (`spdx.json`) and what the server's HTML cleaner keeps (`dompurify.json`)."""
