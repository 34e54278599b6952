"""The billing application as it was ported: FastAPI, SQLAlchemy and Pydantic on the old database."""
