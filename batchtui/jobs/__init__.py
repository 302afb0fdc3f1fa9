"""Jobs followed until they end: the store, the follower, and the service that is the one door to both."""
