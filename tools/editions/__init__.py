"""What others receive: the chapters with an address, and as Colab runs them."""
