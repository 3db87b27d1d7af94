"""Results for people: tables; later pages."""
