"""The Android agent: Java behind `app_process`, with Android's own TensorFlow Lite."""
