"""What other programs write, as candidates for import: chats, memories, notes."""
