"""Drivers beside the lane, spoken to over the store's broker: messages, the agent, and the box's side."""
