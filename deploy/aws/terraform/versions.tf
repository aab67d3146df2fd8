terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6"
    }
  }
}

# Region, credentials and endpoints come from the environment, as for every tool of AWS.
provider "aws" {
  default_tags {
    tags = { penstock = var.name }
  }
}
