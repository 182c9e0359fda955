"""The status page: HTML, JSON, health and metrics, served by the daemon; reads the journal only."""
