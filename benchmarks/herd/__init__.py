"""How corral copes with large herds, measured on the lab's Rancher and AWS."""
