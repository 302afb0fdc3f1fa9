"""Its place lets pytest put this folder on the path, so that every test can import `hostile`."""
