"""What set-up has to do inside Rancher: what exists in, steps out.

Every decision starts from what is there, so that a set-up that died anywhere is finished by running
it again. Nothing here asks or changes anything. One room for each thing that is set up.
"""
