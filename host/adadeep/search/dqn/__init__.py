"""The optimizer of section 4 of AdaDeep: a dueling double DQN with columns G and H."""
