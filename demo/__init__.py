"""The demonstration: a throw-away network that turns real meter data into agreed alerts."""
