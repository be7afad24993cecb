"""What a network says about itself to a new reader, the same on every transport."""
