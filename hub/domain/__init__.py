"""Pure rules: no I/O but the policy folder's reading, no async, no SQL, no wall clock."""
