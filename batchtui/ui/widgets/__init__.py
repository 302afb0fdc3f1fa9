"""Widgets that know no job, store or draft."""
