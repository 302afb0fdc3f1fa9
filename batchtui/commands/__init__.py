"""The commands without a screen, on the same jobs service as the app."""
