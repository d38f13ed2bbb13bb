"""Arrays of bytes that show something (`render*`), and the figures around them (`plots*`)."""
