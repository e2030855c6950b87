typedef int bl__transfer_placeholder;
