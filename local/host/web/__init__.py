"""What a browser or client reaches: function routes, keys, administration and the Event Grid webhook."""
