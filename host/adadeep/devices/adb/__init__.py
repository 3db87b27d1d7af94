"""The way to a device over an adb server: connection, shell, file transfer, listing."""
