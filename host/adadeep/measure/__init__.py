"""Measuring on a device: the session, the anchor, what makes samples suspect, single layers."""
