"""What the peers run, in an environment of their own: plain scripts, as their users write them."""
