"""Who calls: the doors, and the room that builds what stands behind them."""
