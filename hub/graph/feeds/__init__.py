"""What subscribers are fed from: one reader a process and order, a window of the newest changes, and no queue for anybody."""
