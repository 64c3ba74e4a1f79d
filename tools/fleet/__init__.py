"""The notebooks as declared beside what AWS has."""
