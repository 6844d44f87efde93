"""What Gu, Le, Yang, Wu and Hu (GLYWH) say."""
