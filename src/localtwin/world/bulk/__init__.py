"""The bulk Synchronization API's rules: accounts, keys, and records by GUID within a company."""
