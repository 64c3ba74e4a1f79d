output "policies" {
  description = "Policies as JSON, by name: read and state-read for a role that plans, all for one that deploys."
  value = merge(
    {
      read      = local.read
      nat       = local.nat
      network   = local.network
      notebooks = local.notebooks
      roles     = local.roles
      schedules = local.schedules
      storage   = local.storage
    },
    var.state_bucket == null ? {} : {
      bootstrap   = local.bootstrap
      state-read  = local.state_read
      state-write = local.state_write
    },
  )
}
