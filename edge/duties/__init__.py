"""What the service does by itself: one duty in each room, each with the workers that take its steps."""
