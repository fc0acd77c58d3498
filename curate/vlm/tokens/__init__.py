"""How many tokens a prompt will take, before anybody is asked."""
