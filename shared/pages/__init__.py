"""What people look at: the report's and the dashboard's pages, made from plain data; every value is escaped."""
