"""Measuring on a device: sessions, what disturbs them, single layers, how a device strays."""
