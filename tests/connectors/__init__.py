"""The connectors against real neighbours on the loopback: a disk, a mail server, a web server."""
