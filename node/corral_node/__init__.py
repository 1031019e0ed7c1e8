"""The program that makes an EC2 machine a Rancher server (`serve`) or a container host (`join`)."""
