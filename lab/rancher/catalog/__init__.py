"""The catalog service beside each Rancher server, and what its catalogs hold.

`catalog-service` in the sources is github.com/rancher/catalog-service, branch v1.6. Under `content`
lie two small catalogs of the lab's own, by the model of github.com/rancher/rancher-catalog, branch
v1.6-release, and of github.com/rancher/community-catalog: names, versions, limits and questions
are those of the real ones, all text is not. Every infrastructure service is global here.
"""
