"""What a clock or a person sets going: reloads, the admin port, later guard with judging."""
