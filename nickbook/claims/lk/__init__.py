"""What Liu and Khaliullin (LK) say."""
