"""Tests of the JSON API through its WSGI application."""
