"""The client library of operators and gateways: signs locally, submits, waits, follows events."""
