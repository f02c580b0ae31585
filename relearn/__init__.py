"""The command line of Relearn: asks the function app over HTTP and shows the answers as tables or JSON."""
