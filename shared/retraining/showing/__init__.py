"""What people and programs are shown: answers, reports, the dashboard, health."""
