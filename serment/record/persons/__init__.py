"""Who a person is: the evidence beside a Patient, finding people, registering them."""
