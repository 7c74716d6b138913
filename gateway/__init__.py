"""The door and the clockwork: Flask and SQLAlchemy live here and nowhere else."""
