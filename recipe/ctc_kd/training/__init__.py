"""RETURNN: configs, step functions, training, forwarding and logit-dump jobs."""
