"""Settings of all tests; its place lets pytest put this folder on the path, so all can import `hostile`."""

from hypothesis import settings

# A busy machine is no defect: no property has a deadline.
settings.register_profile("batchtui", deadline=None)
settings.load_profile("batchtui")
